import { readPickle, shown } from '@g2d/formats/node';
import { FileFormatError } from '@g2d/core';
import type { Speaker } from './gcnet-features.js';
import { checkUtterances, dialogueOf } from './utterances.js';

/** One line of a dialogue. */
export interface GcnetUtterance {
  readonly id: string;
  readonly label: number;
  readonly speaker: Speaker;
}

const ENTRIES = 6;

/**
 * The utterances of GCNet's label file, dialogue by dialogue in the order of their names.
 *
 * The file is a list of six: dialogue → ids, → labels, → speakers, → sentences, and the sets of training and test dialogues.
 * Only which dialogues they hold is used: folds go by session.
 *
 * @param classes Labels are below it.
 * @throws {FileFormatError} If it is not such a file; the message names the dialogue.
 */
export function readGcnetLabels(path: string, classes: number): readonly GcnetUtterance[] {
  const content = readPickle(path);
  if (!Array.isArray(content) || content.length !== ENTRIES) {
    const what = Array.isArray(content) ? `a list of ${content.length}` : 'something else';
    throw new FileFormatError(
      path,
      `is ${what}; expected a list of ${ENTRIES}: ids, labels, speakers, sentences, training and test dialogues.`,
    );
  }
  const [ids, labels, speakers, , training, test] = content as unknown[];
  const dialogues = [...new Set([...textsOf(training, path), ...textsOf(test, path)])].sort();
  const utterances = dialogues.flatMap((dialogue) => {
    const fail = (problem: string): FileFormatError =>
      new FileFormatError(path, `dialogue ${dialogue} ${problem}`, { dialogue });
    const lists = [ids, labels, speakers].map((part) => {
      const list: unknown = part instanceof Map ? part.get(dialogue) : undefined;
      if (!Array.isArray(list)) throw fail('has no list of ids, of labels, or of speakers.');
      return list as unknown[];
    });
    const [names, classIds, who] = lists as [unknown[], unknown[], unknown[]];
    if (classIds.length !== names.length || who.length !== names.length) {
      throw fail(
        `has ${names.length} ids, ${classIds.length} labels and ${who.length} speakers; expected as many of each.`,
      );
    }
    return names.map((id, i): GcnetUtterance => {
      const [label, speaker] = [classIds[i], who[i]];
      if (typeof id !== 'string' || dialogueOf(id) !== dialogue)
        throw fail(`has the id ${shown(id)}, which is not of it.`);
      if (!(Number.isInteger(label) && (label as number) >= 0 && (label as number) < classes)) {
        throw fail(`has the label ${shown(label)} (${id}); expected a class from 0 to ${classes - 1}.`);
      }
      if (speaker !== 'F' && speaker !== 'M')
        throw fail(`has the speaker ${shown(speaker)} (${id}); expected "F" or "M".`);
      return { id, label: label as number, speaker };
    });
  });
  checkUtterances(
    utterances.map(({ id }) => id),
    path,
  );
  return utterances;
}

function textsOf(value: unknown, path: string): readonly string[] {
  if (value instanceof Set && [...value].every((entry) => typeof entry === 'string'))
    return [...value] as string[];
  throw new FileFormatError(path, 'the fifth and sixth entry must be sets of dialogues.');
}

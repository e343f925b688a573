// The table of which digit was taken for which. Its cells are buttons that open the pairs behind them.
import { formatNumber } from '@g2d/core';
import { HEADS, type Head, type Predictions } from '../protocol.js';
import { confusionOf, DIGITS } from './answers.js';
import { HEAD_LABELS } from './curves.js';
import { element } from './element.js';

/** What is open: pairs that show `label` and were answered `answer` by `head`. */
export interface Cell {
  readonly head: Head;
  readonly label: number;
  readonly answer: number;
}

/**
 * @param open Called when somebody opens a cell or asks another head.
 * @returns Shows predictions, with one cell as the open one.
 */
export function confusionTable(
  place: HTMLElement,
  open: (cell: Cell) => void,
): (predictions: Predictions | undefined, cell: Cell) => void {
  let current: Cell = { head: 'fused', label: 0, answer: 0 };
  const heads = element('div', { class: 'heads', role: 'radiogroup', 'aria-label': 'Whose answers' });
  for (const head of HEADS) {
    const input = element('input', {
      type: 'radio',
      name: 'head',
      id: `head-${head}`,
      checked: head === 'fused',
    });
    input.addEventListener('change', () => open({ ...current, head }));
    heads.append(
      element('span', { class: head }, input, element('label', { for: `head-${head}` }, HEAD_LABELS[head])),
    );
  }
  const buttons = Array.from({ length: DIGITS }, (_, label) =>
    Array.from({ length: DIGITS }, (_, answer) => {
      const button = element('button', {
        type: 'button',
        tabindex: -1,
        class: label === answer ? 'right' : 'wrong',
      });
      button.addEventListener('click', () => open({ ...current, label, answer }));
      return button;
    }),
  );
  const digits = Array.from({ length: DIGITS }, (_, digit) => digit);
  const table = element(
    'table',
    { class: 'confusion' },
    element(
      'caption',
      {},
      'Rows: the digit that it is; columns: the answer. Arrow keys move, Enter opens the pairs.',
    ),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        element('td', {}),
        ...digits.map((digit) => element('th', { scope: 'col' }, String(digit))),
      ),
    ),
    element(
      'tbody',
      {},
      ...digits.map((label) =>
        element(
          'tr',
          {},
          element('th', { scope: 'row' }, String(label)),
          ...digits.map((answer) => element('td', {}, buttons[label]![answer]!)),
        ),
      ),
    ),
  );
  table.addEventListener('keydown', (event) => {
    const [down, right] = MOVES[event.key] ?? [0, 0];
    const at = buttons.flat().indexOf(document.activeElement as HTMLButtonElement);
    if ((down === 0 && right === 0) || at < 0) return;
    event.preventDefault();
    const row = Math.min(DIGITS - 1, Math.max(0, Math.floor(at / DIGITS) + down));
    const column = Math.min(DIGITS - 1, Math.max(0, (at % DIGITS) + right));
    const next = buttons[row]![column]!;
    // One stop of the tab key for the whole table.
    for (const button of buttons.flat()) button.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  place.replaceChildren(heads, element('div', { class: 'scroll' }, table));

  return (predictions, cell) => {
    current = cell;
    const counts = predictions && confusionOf(predictions, cell.head);
    const most = Math.max(1, ...(counts?.flat() ?? []));
    buttons.forEach((row, label) =>
      row.forEach((button, answer) => {
        const count = counts?.[label]?.[answer] ?? 0;
        const isOpen = label === cell.label && answer === cell.answer;
        button.setAttribute('aria-pressed', String(isOpen && predictions !== undefined));
        button.disabled = !predictions;
        if (button.dataset['count'] !== String(count)) {
          button.dataset['count'] = String(count);
          button.textContent = count === 0 ? '' : String(count);
          button.setAttribute('aria-label', `${label} answered as ${answer}: ${count} pairs`);
        }
        button.style.setProperty('--share', formatNumber(count / most, 2));
        if (!table.contains(document.activeElement)) button.tabIndex = isOpen ? 0 : -1;
      }),
    );
  };
}

const MOVES: Readonly<Record<string, readonly [down: number, right: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

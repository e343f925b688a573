/**
 * Names in the order that their numbers say, where all are the same but for a number at the end: `2.jpg` before `10.jpg`. Others
 * in the order of their characters, which is the same where numbers have leading zeros.
 */
export function inOrder(names: readonly string[]): readonly string[] {
  const parts = names.map((name) => ({ name, match: /^(.*?)(\d+)\.[^.]*$/.exec(name) }));
  const start = parts[0]?.match?.[1];
  const isNumbered = parts.every(({ match }) => match !== null && match[1] === start);
  if (!isNumbered) return [...names].sort();
  return parts
    .map(({ name, match }) => ({ name, number: Number(match?.[2]) }))
    .sort((a, b) => a.number - b.number || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
}

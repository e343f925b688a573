// Module hook for a clone: sibling packages resolve to their sources, as with `node --conditions=@g2d/source`.
export function resolve(specifier, context, nextResolve) {
  return nextResolve(specifier, { ...context, conditions: [...context.conditions, '@g2d/source'] });
}

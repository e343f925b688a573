/**
 * Runs something without the rights of root, which ignore a folder's permissions: CI containers run as root, people do
 * not. Everything it needs must be imported before.
 */
export async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  process.setegid!(65534);
  process.seteuid!(65534);
  try {
    return await work();
  } finally {
    process.seteuid!(0);
    process.setegid!(0);
  }
}

// Threads of WebAssembly share memory, which a browser allows where the page is isolated from other origins. A server says so by headers; where it
// does not, as on GitHub Pages, a service worker adds them, from the second load on: so the page loads itself once more.
const LOADED = 'g2d-isolated';

/** A browser that keeps service workers from running may neither refuse nor begin. */
const PATIENCE_MS = 5000;
const refusal = (): Promise<never> =>
  new Promise((_, refuse) => setTimeout(() => refuse(new Error('no service worker')), PATIENCE_MS));

/**
 * Sees to it that the page is isolated, if it can be.
 *
 * @returns Why there are no threads, in words; `undefined` if there are. Never returns where the page loads itself again.
 */
export async function isolate(): Promise<string | undefined> {
  if (crossOriginIsolated) {
    sessionStorage.removeItem(LOADED);
    return undefined;
  }
  const alone = 'WebAssembly runs on one thread here: ';
  if (!('serviceWorker' in navigator))
    return `${alone}this browser has no service workers, or the address is no https.`;
  try {
    await navigator.serviceWorker.register(new URL('./isolation.js', document.baseURI), {
      scope: new URL('./', document.baseURI).pathname,
    });
    await Promise.race([navigator.serviceWorker.ready, refusal()]);
  } catch {
    return `${alone}the browser refused the service worker that would isolate the page.`;
  }
  // Once is enough: where it did not help it will not help again.
  if (sessionStorage.getItem(LOADED)) return `${alone}the page is not isolated from other origins.`;
  sessionStorage.setItem(LOADED, 'once');
  location.reload();
  return new Promise(() => {});
}

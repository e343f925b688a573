// On a phone what happens comes first, and the settings last: in the page itself, so that keyboards and screen readers go the way that eyes go.
import { byId } from './element.js';

/** As the style has it. */
const NARROW = '(max-width: 779px)';

/** Puts the settings where they belong at this width, and wherever it changes to. */
export function placeSettings(): void {
  const narrow = matchMedia(NARROW);
  const settings = byId('settings');
  const place = (): void => {
    // Whoever is at a field stays there.
    const active = document.activeElement;
    if (narrow.matches) settings.parentElement?.append(settings);
    else settings.parentElement?.prepend(settings);
    if (active instanceof HTMLElement && settings.contains(active)) active.focus({ preventScroll: true });
  };
  narrow.addEventListener('change', place);
  place();
}

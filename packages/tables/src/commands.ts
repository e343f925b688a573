import type { Commands } from '@g2d/cli';

export default {} satisfies Commands;

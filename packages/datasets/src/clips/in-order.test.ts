import { describe, expect, it } from 'vitest';
import { inOrder } from './in-order.js';

describe('inOrder', () => {
  it.each([
    ['numbers without leading zeros', ['0.jpg', '29.jpg', '58.jpg', '87.jpg', '116.jpg']],
    ['numbers with leading zeros', ['00000.jpg', '00029.jpg', '00116.jpg']],
    ['a word in front', ['frame_1.png', 'frame_2.png', 'frame_10.png']],
    ['numbers that grow beyond their zeros', ['0998.jpg', '0999.jpg', '1000.jpg', '10000.jpg']],
    ['one number with several endings', ['1.jpeg', '1.jpg', '2.JPG']],
    ['other names', ['10.jpg', '9.jpg', 'cover.jpg']],
    ['several numbers', ['clip1_10.jpg', 'clip1_9.jpg', 'clip2_1.jpg']],
    ['nothing', []],
  ])('sorts %s', (_, names) => {
    expect(inOrder(names.toReversed())).toEqual(names);
    expect(inOrder(names.toSorted())).toEqual(names);
  });
});

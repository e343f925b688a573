import { ELEMENT_BYTES, type ElementType } from '@g2d/formats';

/** What elements are: stands in for `torch.FloatStorage` and its like, and for `torch.float32` and its like. */
export class TorchType {
  /** In the words of PyTorch, for messages. */
  readonly name: string;
  /** Bytes of one element. */
  readonly bytes: number;
  /** `undefined` for what cannot be read. */
  readonly element: ElementType | undefined;

  constructor(name: string, type: ElementType | number) {
    this.name = name;
    this.element = typeof type === 'number' ? undefined : type;
    this.bytes = typeof type === 'number' ? type : ELEMENT_BYTES[type];
  }
}

export {
  DatasetNotFoundError,
  FileFormatError,
  G2DError,
  OptionError,
  ShapeError,
  UnknownModalityError,
} from './errors.js';
export { deriveSeed, randomStream, type RandomStream } from './random.js';

// The errors of all packages are those of the contracts.
export {
  DatasetNotFoundError,
  FileFormatError,
  G2DError,
  OptionError,
  ShapeError,
  UnknownModalityError,
} from '@g2d/core';

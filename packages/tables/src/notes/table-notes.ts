import { LITERAL } from '../plan/places.js';

/** What has to be said of single tables, whatever came out. */
export const TABLE_NOTES: Readonly<Record<string, readonly string[]>> = {
  'table-1': [
    'The published CREMA-D row mixes protocols: MSES, MSLR and AGM were measured on 669 clips, ReconBoost and DLMG on no part of 744.',
  ],
  'table-2': [
    'UR-FUNNY has 994 test samples: an accuracy has a standard error of 1.5 points, and published margins are 0.3 to 1.8. Almost everything is open with a few seeds.',
  ],
  'table-5': [
    'Sum and late fusion have logits that differ by the factor 1/k alone, so that what is between them may be one of learning rate.',
  ],
  'table-6': [
    'Partial suppression is κ = 1 − tanh(ratio of the teachers’ confidences), for the same epochs.',
  ],
  'table-7': [
    'All runs have the same number of epochs, and the joint phase is what is left: the published (0, 150) is the 300-epoch number of Tables 4 and 9. Read literally, training would grow with τ₁, and the fall of the learning rate would be reached in some cells only: --literal prints that.',
  ],
  [LITERAL]: [
    'A run has as many epochs as its phases together, so whatever a longer first phase brings may be what longer training brings; Table 7 without --literal gives all columns the same number.',
  ],
  'table-11': [
    'That G2D loses least is not claimed here: by the published numbers CPM-Net and TATE lose less from 0 to 60 %.',
    'Masks are drawn anew for each seed; teachers are trained on the masked training split.',
  ],
  'table-12': [
    '(0, 0) is SMP without a distillation loss, (1, 0) UMT with SMP. The weights sum to one but for (1, 1): total weight and mix are confounded.',
  ],
};

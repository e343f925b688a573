import { describeDecoders, load } from '../../formats/test/fuzz.js';
import { readList } from './crema-d/list.js';
import { readGcnetLabels } from './iemocap/gcnet-labels.js';
import { readMisMeTable } from './mis-me/table.js';
import { readVggSoundTable } from './vgg-sound/table.js';

describeDecoders([
  {
    name: "readList, of CREMA-D's clips",
    seeds: [
      Buffer.from('1001_DFA_ANG_XX,ANG\r\n1002_IEO_SAD_HI,SAD\r\n'),
      Buffer.from('\uFEFF1091_WSI_NEU_XX,NEU\n\n'),
    ],
    decode: readList,
  },
  {
    name: 'readVggSoundTable',
    seeds: load(
      '../datasets/vggsound/root/vggsound.csv',
      '../datasets/vggsound/root/vggsound_with_header.csv',
    ),
    decode: readVggSoundTable,
  },
  {
    name: 'readMisMeTable',
    ending: '.csv',
    seeds: load(
      'misme/classification/combined_only_train_set.csv',
      'misme/classification/OK001_only_test_set.csv',
    ),
    decode: readMisMeTable,
  },
  {
    name: 'readGcnetLabels',
    seeds: load(
      'iemocap/gcnet/IEMOCAP_features_raw_4way.pkl',
      'iemocap/gcnet/protocol2/IEMOCAP_features_raw_4way.pkl',
    ),
    decode: (path) => readGcnetLabels(path, 4),
  },
]);

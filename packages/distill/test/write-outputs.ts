// Writes teacher outputs in a process of its own: node … write-outputs.ts FILE BATCHES. With BATCHES 0 it never ends, and says "writing"
// when some rows lie on disk.
import * as tf from '@tensorflow/tfjs';
import { writeTeacherOutputs } from '@g2d/distill/node';

const [file, batchCount] = process.argv.slice(2) as [string, string];
const endless = batchCount === '0';
const last = endless ? Infinity : Number(batchCount);
await tf.setBackend('cpu');

async function* batches() {
  for (let i = 0; i < last; i++) {
    const outputs = { logits: tf.tensor2d([[i, i]]), features: tf.tensor2d([[-i, -i, -i]]) };
    yield { ids: [`s${i}`], outputs };
    tf.dispose({ ...outputs });
    if (endless && i === 2) process.stdout.write('writing\n');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

await writeTeacherOutputs(file, { teacherHash: 'h', augmentationSeed: null }, batches());

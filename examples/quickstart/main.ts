// Algorithm 1 of G2D on the small AV-MNIST, line by line.
import * as tf from '@tensorflow/tfjs';
import { avMnist, batches, buildSmallAvMnist, inMemory, randomAffineCrop } from '@g2d/datasets';
import { g2dLoss } from '@g2d/distill';
import { smallAudioEncoder, smallImageEncoder } from '@g2d/encoders';
import { lateFusion, modalityInScope, MultimodalModel } from '@g2d/fusion';
import { loadTensorFlow } from '@g2d/native';
import { modalityConfidence, SequentialModalityPrioritization } from '@g2d/smp';
import { SGD } from '@g2d/tensor-ops';
import { evaluate, frozenTeachers, inferenceOf, train } from '@g2d/trainer';

await loadTensorFlow();
const epochs = Number(process.argv[2] ?? 30);
const built = await buildSmallAvMnist({ sources: 'data', out: 'data/built/av-mnist-small-main' });
const training = await inMemory(await avMnist({ ...built, split: 'train' }));
const test = await inMemory(await avMnist({ ...built, split: 'test' }));
const augment = { image: randomAffineCrop() };
const epochOf = (epoch: number) => batches(training, { batchSize: 64, shuffle: true, augment, epoch });
const optimizer = { learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4 };
const audio = (seed: number) => smallAudioEncoder({ name: 'audio', inputShape: [56, 56, 1], seed });
const image = (seed: number) => smallImageEncoder({ name: 'image', inputShape: [28, 28, 1], seed });
const head = { classes: 10, seed: 0 };

// One teacher for each modality, trained alone, then frozen.
const heard = lateFusion({ widths: { audio: 64 }, ...head });
const seen = lateFusion({ widths: { image: 32 }, ...head });
const audioTeacher = new MultimodalModel({ encoders: { audio: audio(1) }, fusion: heard });
const imageTeacher = new MultimodalModel({ encoders: { image: image(1) }, fusion: seen });
await train({ model: audioTeacher, methods: [], epochs, optimizer, batches: epochOf });
await train({ model: imageTeacher, methods: [], epochs, optimizer, batches: epochOf });
const teachers = frozenTeachers({ audio: audioTeacher, image: imageTeacher });

// The student. One modality trains alone in the first half of the epochs, then both do.
const fusion = lateFusion({ widths: { audio: 64, image: 32 }, ...head });
const student = new MultimodalModel({ encoders: { audio: audio(0), image: image(0) }, fusion });
const { modalities, variables } = student;
const sgd = new SGD(variables, optimizer);
const phaseEpochs = [Math.floor(epochs / 2), Math.ceil(epochs / 2)];
const modalityOf = modalityInScope(student, 'conv'); // as the released code
const smp = new SequentialModalityPrioritization({ modalities, modalityOf, phaseEpochs, variables });

for (let epoch = 1; epoch <= epochs; epoch++) {
  for await (const batch of epochOf(epoch)) {
    tf.tidy(() => {
      const labels = batch.labels as tf.Tensor1D; // class ids
      const teacher = teachers.outputs(batch); // u_m^T and f_m^T
      const rho = (m: 'audio' | 'image') => modalityConfidence(labels, teacher[m].logits).dataSync()[0]!;
      smp.update({ epoch, confidence: { audio: rho('audio'), image: rho('image') } }); // Eq. 5 to 7
      const { grads } = tf.variableGrads(() => {
        const outputs = student.forward(batch, { training: true });
        return g2dLoss({ labels, student: outputs, teachers: teacher }).total; // Eq. 1 to 4
      }, smp.activeVariables(variables));
      sgd.applyGradients(smp.modulate(grads, variables)); // Eq. 8
    });
    tf.dispose(batch);
  }
  const { accuracy } = await evaluate(inferenceOf(student), test);
  console.log(`epoch ${epoch}: κ ${JSON.stringify(smp.coefficients)}, test ${accuracy['fused']} %`);
}

// What computes here, as one line: test reports say which processor they are of.
import { describeProcessor, loadTensorFlow, runtimeInfo } from '@g2d/native';

await loadTensorFlow({ quiet: true });
const { backend, tensorflow, processor } = runtimeInfo()!;
console.log(`${describeProcessor(processor)}; ${backend}${tensorflow ? ` ${tensorflow}` : ''}`);

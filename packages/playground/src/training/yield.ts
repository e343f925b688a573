// Lets messages through between two steps. TensorFlow.js waits for the next frame of the screen, of which a worker has none in a hidden tab, and
// at most 60 a second otherwise; so this comes before TensorFlow.js is loaded.
const channel = new MessageChannel();
const waiting: FrameRequestCallback[] = [];
channel.port1.addEventListener('message', () => waiting.shift()?.(performance.now()));
channel.port1.start();

globalThis.requestAnimationFrame = (callback) => {
  channel.port2.postMessage(null);
  return waiting.push(callback);
};

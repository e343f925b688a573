// The same on TensorFlow's own operations, as on a machine without a compiler: `loadTensorFlow` reads the variable.
process.env['G2D_KERNELS'] = 'off';
await import('./random-topology.test.js');
await import('./non-finite.test.js');

// The same on the backend's own kernels, as without SIMD or where a page must not compile.
process.env['G2D_KERNELS'] = 'off';
await import('./wasm-conv-gradients.test.js');

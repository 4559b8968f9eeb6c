import { defineConfig } from 'vite';

/** Everything in files of its own: the policy of the page allows no inline script, style or image. */
export default defineConfig({
  root: import.meta.dirname,
  // Relative to the base that the server writes, so that the console works behind any prefix.
  base: './',
  publicDir: false,
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../../../dist/console/site',
    emptyOutDir: true,
    target: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});

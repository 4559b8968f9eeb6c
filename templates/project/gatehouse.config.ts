import { defineConfig } from 'gatehouse/config';

export default defineConfig({
  config: 'gateway.yaml',
  modules: 'src/modules.ts',
});

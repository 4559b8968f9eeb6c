// What the commands of a checkout go by: the sample's configuration, and the sample's modules, which no package has with it.
/** @type {import('./src/config/project-config.ts').ProjectConfig} */
export default {
  config: 'config/gateway.yaml',
  modules: 'dist/routes/index.js',
};

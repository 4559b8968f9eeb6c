import type { PageScenes } from './scene.ts';

const DIAGRAM = 'a diagram';
const INPUT = 'is what somebody writes, and claims nothing';
const DEMO = 'of the whole demo: test/docs/tour.long-spec.ts';

/** Blocks that the pages show and that are not run here, with the reason. */
export const elsewhere: Readonly<Record<string, PageScenes>> = {
  'README.md': { '                     ┌': DIAGRAM },
  'docs/development.md': {
    'dev  started in': 'of a session that restarts processes: test/cli/dev.long-spec.ts',
  },
  'docs/discovery.md': { '[\n  "http://10.0.0.1:8080"': INPUT },
  'docs/life-of-a-request.md': { 'open → match': DIAGRAM },
  'docs/migrating.md': { '{\n  "endpoint"': INPUT },
  'docs/modules.md': {
    'src/orders':
      'of files of a project; test/modules/wrong-modules.e2e-spec.ts makes each of these mistakes',
  },
  'docs/performance.md': { '$ npx gatehouse bench': 'measures for a while: test/cli/bench.long-spec.ts' },
  'docs/redis.md': {
    'user gateway on': 'is what somebody writes; test/doctor/doctor.e2e-spec.ts gives it to a Redis',
  },
  'docs/tour.md': { '': DEMO },
};

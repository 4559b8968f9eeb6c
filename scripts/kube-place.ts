import { homedir } from 'node:os';
import { join } from 'node:path';

const KUBERNETES = '1.37.2';
// The newest that the Go of Kubernetes takes: from 1.7 on it wants a newer one.
const GATEWAY_API = '1.6.3';

const folder = join(
  process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
  'gatehouse-tests',
  `kubernetes-${KUBERNETES}`,
);

/** Where the API server for the long tests is kept, and the definitions of kinds that it is given. */
export const kubePlace = {
  kubernetes: KUBERNETES,
  gatewayApi: GATEWAY_API,
  folder,
  server: join(folder, 'kube-apiserver'),
  definitions: join(folder, `gateway-api-${GATEWAY_API}`),
} as const;

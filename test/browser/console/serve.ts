/** `node test/browser/console/serve.ts [routes] [port]`: the console with sample numbers, for work on the page. */
import { sampleListener } from './sample-listener.ts';

const [routes = '14', port = '9999'] = process.argv.slice(2);
const address = await sampleListener(Number(routes)).listen({ port: Number(port), host: '127.0.0.1' });
process.stdout.write(`${address}/console/\n`);

/** A process of `gatehouse dev`: it loads the gateway's own code, waits to be told what to serve, and serves it. */
import { DevGateway } from './dev-gateway.ts';
import { LoadedFiles } from './loaded-files.ts';
import { SPARE, type FromChild, type ToChild } from './messages.ts';
import { warmUp } from './warm-up.ts';

const say = (message: FromChild): void => void process.send?.(message);

// Whoever has started it says when it ends; in a terminal both hear of Ctrl-C.
process.on('SIGINT', () => undefined);
process.once('disconnect', () => process.exit(0));

const files = new LoadedFiles();
// What serves at once loads what it needs, and no more.
const warm = process.env[SPARE] === undefined ? Promise.resolve() : warmUp();
delete process.env[SPARE];
let gateway: DevGateway | undefined;

process.on('message', (message: ToChild) => {
  if (message.is === 'begin') {
    gateway = new DevGateway({ command: message.command, color: message.color, files, say });
    void warm.then(() => {
      files.listen();
      return gateway?.start();
    });
  } else if (message.is === 'reload') void gateway?.reload();
  else if (message.is === 'leave') void gateway?.leave().finally(() => process.exit(0));
  else if (gateway === undefined) process.exit(0);
  else void gateway.end().finally(() => process.exit(0));
});

import { fileURLToPath } from 'node:url';
import type { Outlet } from '../commands.ts';
import { setUpChildren } from './child-process.ts';
import type { DevCommand } from './dev-command.ts';
import { DevSession } from './dev-session.ts';
import { Screen } from './screen.ts';

/**
 * What a child has where nobody says otherwise: somebody waits for it to end, and looks at what it says. Clients that are
 * connected hear for a moment that they should connect again.
 */
const USUAL = { LOG_LEVEL: 'warn', DRAIN_DELAY: '100ms', SHUTDOWN_TIMEOUT: '2s' } as const;

/**
 * Runs a gateway, and keeps to what is edited, until the process is told to stop: then all of it ends at once.
 */
export async function runDev(command: DevCommand, out: Outlet): Promise<void> {
  for (const [name, value] of Object.entries(USUAL)) process.env[name] ||= value;
  setUpChildren(fileURLToPath(new URL('child.js', import.meta.url)));
  const session = new DevSession(command, new Screen(out));
  const stopped = new Promise<void>((resolve) => {
    let isStopping = false;
    const stop = (): void => {
      // The second one does not wait.
      if (isStopping) return session.kill();
      isStopping = true;
      void session.end().finally(resolve);
    };
    process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', stop);
  });
  process.once('exit', () => session.kill());
  await session.begin();
  await stopped;
}

/**
 * Makes sure that the tests find a `redis-server`. It never leaves the distribution's Redis service running:
 * the tests start their own server on a free port.
 */
import { allOnPath, aptInstall, ensureTool } from './system-package.ts';

/** The service is ours to switch off: it came with the package that was installed a moment ago. */
const SILENCE_SERVICE = `
if command -v systemctl >/dev/null 2>&1; then
  for unit in redis-server redis valkey; do systemctl disable --now "$unit" >/dev/null 2>&1 || true; done
fi`;

ensureTool({
  name: 'redis-server',
  missing: 'it is not on PATH',
  note: '; its service is not running',
  find: () => allOnPath('redis-server')[0],
  packages: {
    'apt-get': {
      advice: 'sudo apt-get install redis-server',
      install: aptInstall('redis-server') + SILENCE_SERVICE,
    },
    apk: {
      advice: 'apk add redis',
      install: `apk add --quiet --no-cache redis >/dev/null${SILENCE_SERVICE}`,
    },
    dnf: {
      advice: 'sudo dnf install redis   (newer Fedora: valkey-compat-redis)',
      install: `dnf install -y -q redis >/dev/null 2>&1 || dnf install -y -q valkey-compat-redis >/dev/null${SILENCE_SERVICE}`,
    },
  },
  elsewhere: [
    'macOS:   brew install redis',
    'Arch:    sudo pacman -S redis',
    'Nix:     nix-shell -p redis',
    'Windows: run the tests in WSL, then as on Debian',
  ],
});

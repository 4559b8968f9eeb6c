/**
 * Makes sure that `npm run availability` finds `haproxy`: what stands in front of gateways there. Where the package brings a
 * service, that has no frontend, and listens nowhere.
 */
import { allOnPath, aptInstall, ensureTool, isCommand } from './system-package.ts';

ensureTool({
  name: 'haproxy',
  missing: 'it is not on PATH',
  // Where it is for root, whose folder is not on everybody's PATH.
  find: () => allOnPath('haproxy')[0] ?? ['/usr/sbin/haproxy', '/sbin/haproxy'].find(isCommand),
  packages: {
    'apt-get': { advice: 'sudo apt-get install haproxy', install: aptInstall('haproxy') },
    apk: { advice: 'apk add haproxy', install: 'apk add --quiet --no-cache haproxy >/dev/null' },
    dnf: { advice: 'sudo dnf install haproxy', install: 'dnf install -y -q haproxy >/dev/null' },
  },
  elsewhere: [
    'macOS:   brew install haproxy',
    'Arch:    sudo pacman -S haproxy',
    'Nix:     nix-shell -p haproxy',
    'Windows: run the tests in WSL, then as on Debian',
  ],
});

/**
 * Makes sure that the tests find `dnsmasq`: a real name server that discovery is tested with. The package is the one
 * without a service.
 */
import { allOnPath, aptInstall, ensureTool, isCommand } from './system-package.ts';

ensureTool({
  name: 'dnsmasq',
  missing: 'it is not on PATH',
  // Where it is for root, whose folder is not on everybody's PATH.
  find: () => allOnPath('dnsmasq')[0] ?? ['/usr/sbin/dnsmasq', '/sbin/dnsmasq'].find(isCommand),
  packages: {
    'apt-get': { advice: 'sudo apt-get install dnsmasq-base', install: aptInstall('dnsmasq-base') },
    apk: { advice: 'apk add dnsmasq', install: 'apk add --quiet --no-cache dnsmasq >/dev/null' },
    dnf: { advice: 'sudo dnf install dnsmasq', install: 'dnf install -y -q dnsmasq >/dev/null' },
  },
  elsewhere: [
    'macOS:   brew install dnsmasq',
    'Arch:    sudo pacman -S dnsmasq',
    'Nix:     nix-shell -p dnsmasq',
    'Windows: run the tests in WSL, then as on Debian',
  ],
});

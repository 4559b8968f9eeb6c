/**
 * Makes sure that the tests find `promtool` and `prometheus`: metrics and rules are read by what reads them in earnest. The
 * distribution's Prometheus service is never left running.
 */
import { allOnPath, aptInstall, ensureTool } from './system-package.ts';

/** The service is ours to switch off: it came with the package that was installed a moment ago. */
const SILENCE_SERVICE = `
if command -v systemctl >/dev/null 2>&1; then
  systemctl disable --now prometheus >/dev/null 2>&1 || true
fi`;

ensureTool({
  name: 'promtool',
  missing: 'it is not on PATH, or `prometheus` beside it is not',
  note: '; its service is not running',
  find: () => (allOnPath('prometheus').length > 0 ? allOnPath('promtool')[0] : undefined),
  packages: {
    'apt-get': {
      advice: 'sudo apt-get install prometheus',
      install: aptInstall('prometheus') + SILENCE_SERVICE,
    },
    apk: { advice: 'apk add prometheus', install: 'apk add --quiet --no-cache prometheus >/dev/null' },
    dnf: {
      advice: 'sudo dnf install golang-github-prometheus',
      install: `dnf install -y -q golang-github-prometheus >/dev/null${SILENCE_SERVICE}`,
    },
  },
  elsewhere: [
    'macOS:   brew install prometheus',
    'Arch:    sudo pacman -S prometheus',
    'Nix:     nix-shell -p prometheus',
    'Windows: run the tests in WSL, then as on Debian',
    'or the archive of https://prometheus.io/download, both programs on PATH',
  ],
});

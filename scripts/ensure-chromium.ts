/** Makes sure that the tests find a Chromium: the one that `CHROMIUM` names, else one of the system. */
import { findChromium } from './chromium.ts';
import { aptInstall, ensureTool, type TestTool } from './system-package.ts';

const CHROMIUM: TestTool = {
  name: 'chromium',
  missing: 'it is not on PATH',
  find: findChromium,
  packages: {
    'apt-get': {
      // Ubuntu's package of this name is a snap, which containers cannot run.
      advice: 'sudo apt-get install chromium   (or any Chrome: CHROMIUM=/path/to/it npm test)',
      install: aptInstall('chromium'),
    },
    apk: { advice: 'apk add chromium', install: 'apk add --quiet --no-cache chromium >/dev/null' },
    dnf: { advice: 'sudo dnf install chromium', install: 'dnf install -y -q chromium >/dev/null' },
  },
  elsewhere: [
    'macOS:   brew install --cask google-chrome',
    'Arch:    sudo pacman -S chromium',
    'Nix:     nix-shell -p chromium',
    'Windows: run the tests in WSL, then as on Debian',
    'Any Chrome or Chromium elsewhere: CHROMIUM=/path/to/it npm test',
  ],
};

const chosen = process.env['CHROMIUM'];
if (chosen && findChromium() === undefined) {
  // Nothing is installed in its place: somebody wants that one.
  console.error(`CHROMIUM=${chosen} is not a file that can be run.`);
  process.exitCode = 1;
} else ensureTool(CHROMIUM);

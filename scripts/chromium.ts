import { allOnPath, isCommand } from './system-package.ts';

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Where browsers are that are not on PATH. */
const APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** The browser that the tests drive: `CHROMIUM` if that is set, else what the system has. */
export function findChromium(): string | undefined {
  const chosen = process.env['CHROMIUM'];
  if (chosen !== undefined && chosen !== '') return isCommand(chosen) ? chosen : undefined;
  return COMMANDS.flatMap(allOnPath)[0] ?? APPLICATIONS.find(isCommand);
}

import { order } from '../data/ask.ts';
import type { Intent } from '../parts/confirm.tsx';

/** `GET /log-level` */
export interface LevelAnswer {
  readonly level: string;
  /** When it goes back; absent while it is the usual one. */
  readonly until?: string;
  readonly configured?: string;
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'];

/** Has another level of the log for a while. */
export function changingLevel(again: () => void): Intent {
  return {
    title: 'Change the level of the log?',
    effect: 'All workers of this gateway log by it, and go back by themselves.',
    act: 'Change',
    fields: (
      <div class="fields">
        <label class="field">
          <span>Level</span>
          <select name="level">
            {LEVELS.map((level) => (
              <option key={level} value={level} selected={level === 'debug'}>
                {level}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>For</span>
          <select name="for">
            <option value="1m">1 minute</option>
            <option value="10m" selected>
              10 minutes
            </option>
            <option value="1h">1 hour</option>
          </select>
        </label>
      </div>
    ),
    run: async (form) => {
      await order('PUT', 'log-level', { level: form.get('level'), for: form.get('for') });
      again();
      return `The log has the level ${String(form.get('level'))} for ${String(form.get('for'))}.`;
    },
  };
}

/** Goes back to the usual level. */
export function resettingLevel(again: () => void): Intent {
  return {
    title: 'Go back to the usual level?',
    effect: 'At once, in all workers.',
    act: 'Go back',
    run: async () => {
      await order('DELETE', 'log-level');
      again();
      return 'The log has its usual level.';
    },
  };
}

/** Restarts the workers. */
export function restarting(again: () => void): Intent {
  return {
    title: 'Restart the workers?',
    effect: 'One after the other: each ends its requests while the others take the new ones.',
    act: 'Restart',
    danger: true,
    run: async () => {
      await order('POST', 'workers/restart');
      again();
      return 'The workers restart, one after the other.';
    },
  };
}

import type { BreakerChange } from '../../policies/circuit-breaker/breaker.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { TargetWatch } from './target-watch.ts';
import type { GroupReport } from './watch-group.ts';

/** Writes one line of the log for each transition, and counts. @param tell hears of transitions of breakers as well. */
export function reportTo(
  logger: Logger,
  metrics: Metrics,
  tell: (watch: TargetWatch, change: BreakerChange) => void,
): GroupReport {
  return {
    breaker(watch, change) {
      const { upstream, host: target } = watch;
      const { state, cause, openForMs } = change;
      metrics.breakers.changed(upstream, target, state);
      const isEjection = cause === 'ejected' && state === 'open';
      if (isEjection) metrics.targets.ejected(upstream, target);
      const why = isEjection ? { ejected: watch.ejectedFor } : {};
      const line = { upstream, target, breaker: state, cause, ...why, openForMs };
      logger.warn(line, isEjection ? 'target ejected' : `breaker ${state}`);
      const text = isEjection
        ? `${target} ejected: ${watch.ejectedFor}`
        : `breaker of ${target} ${state} (${cause})`;
      metrics.changes.note({ kind: isEjection ? 'ejection' : 'breaker', upstream, target, text });
      tell(watch, change);
    },
    probed({ upstream, host: target, verdict, probeFault }) {
      const line = { upstream, target, health: verdict };
      const why = verdict === 'up' ? '' : `: ${probeFault}`;
      metrics.changes.note({ kind: 'ejection', upstream, target, text: `${target} ${verdict}${why}` });
      if (verdict === 'up') logger.info(line, 'target up');
      else logger.warn({ ...line, fault: probeFault }, 'target down');
    },
    spared({ upstream, host: target }, reason) {
      logger.warn({ upstream, target, spared: reason }, 'target would have been ejected, too many are out');
    },
    mostDown({ upstream }, down, all) {
      const text =
        'most targets went down at once by their probes: the fault may be of the probe, such as its path or its network';
      logger.warn({ upstream, down, all }, text);
    },
  };
}

import { AddressBlocks } from '../../exchange/address-blocks.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import { ipAccessPolicy } from './ip-access.policy.ts';

/** Refuses clients by their address. */
class IpAccessStage implements Stage {
  readonly #allowed: AddressBlocks | undefined;
  readonly #denied: AddressBlocks | undefined;

  constructor(allow: readonly string[] | undefined, deny: readonly string[] | undefined) {
    this.#allowed = allow && new AddressBlocks(allow);
    this.#denied = deny && new AddressBlocks(deny);
  }

  enter({ clientAddress, addressDoubt }: Exchange): void {
    // Fails closed: the address would be that of a proxy, which may be let in where its clients are not.
    const isKnown = addressDoubt === undefined && clientAddress !== '';
    const isIn =
      isKnown && this.#allowed?.has(clientAddress) !== false && this.#denied?.has(clientAddress) !== true;
    if (!isIn) throw new Problem('address-denied');
  }

  explain(exchange: Exchange): StageVerdict {
    this.enter(exchange);
    return passes({ client: exchange.clientAddress });
  }
}

/** Compiles the `ipAccess` policy. */
export class IpAccessStageFactory implements StageFactory {
  readonly policy = ipAccessPolicy;

  compile({ policies: { ipAccess: options } }: StageInput): Stage | undefined {
    return options === undefined ? undefined : new IpAccessStage(options.allow, options.deny);
  }
}

/** Registers the policy in THE ORDER. */
export const ipAccess = { policy: ipAccessPolicy, factory: IpAccessStageFactory };

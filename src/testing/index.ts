/** The package's `gatehouse/testing`: whole gateways for the specs of a team. */
export { startGateway, type StartedGateway } from './start-gateway.ts';

/** The variable of the environment that tells a worker which one it is, from 1. */
export const WORKER_VARIABLE = 'GATEHOUSE_WORKER';

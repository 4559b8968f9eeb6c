/** What the listener answers about traffic: the words of the gateway itself. */
export type * from '../../../traffic/traffic-answers.ts';

import type { Type } from '@nestjs/common';

/** A policy's decorator, wherever it is put. */
export type On = ClassDecorator & MethodDecorator & PropertyDecorator;

/** What is at a place, as parts of a module. */
export interface Placed {
  readonly providers?: readonly unknown[];
  readonly controllers?: readonly Type[];
  readonly module?: Type;
  /** Shows what is protected. */
  readonly query?: string;
}
/** Puts a policy at a place, whose names end with the id. */
export type Place = (on: On, id: string) => Placed;
/** Places by what they are. */
export type Places = Readonly<Record<string, Place>>;

export const text = () => String;
export const optional = { nullable: true };
export const secret = { secret: 'secret', secret_: 'secret', id: '1' };

/** The package's `gatehouse/register`: `node --import gatehouse/register --test` runs a team's specs in `.ts`. */
import 'reflect-metadata';
import { registerTypeScript } from './typescript-loader.ts';

registerTypeScript();

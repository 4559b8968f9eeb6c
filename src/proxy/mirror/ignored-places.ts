const ANY_ELEMENT = '*';

/** Places of a JSON value that are not compared, as a tree of the segments of their pointers. */
export class IgnoredPlaces {
  /** Whether it is one of them, with all that is below. */
  isIgnored = false;
  readonly #below = new Map<string, IgnoredPlaces>();

  /** @param pointers JSON pointers (RFC 6901); a segment `*` stands for every element of an array as well. */
  static of(pointers: readonly string[]): IgnoredPlaces {
    const root = new IgnoredPlaces();
    for (const pointer of pointers) {
      let place = root;
      for (const segment of pointer.split('/').slice(1))
        place = place.#made(segment.replaceAll('~1', '/').replaceAll('~0', '~'));
      place.isIgnored = true;
    }
    return root;
  }

  /** What is ignored of a member of an object. */
  member(name: string): readonly IgnoredPlaces[] {
    const place = this.#below.get(name);
    return place === undefined ? NONE : [place];
  }

  /** What is ignored of an element of an array. */
  element(index: number): readonly IgnoredPlaces[] {
    if (this.#below.size === 0) return NONE;
    const [one, any] = [this.#below.get(String(index)), this.#below.get(ANY_ELEMENT)];
    return [one, any].filter((place) => place !== undefined);
  }

  #made(segment: string): IgnoredPlaces {
    let place = this.#below.get(segment);
    if (place === undefined) this.#below.set(segment, (place = new IgnoredPlaces()));
    return place;
  }
}

const NONE: readonly IgnoredPlaces[] = Object.freeze([]);

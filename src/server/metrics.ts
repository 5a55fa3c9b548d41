/** Upper ends of the histogram's buckets, in seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Methods that are counted apart. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS']);

/** Times of a route's requests. */
interface Times {
  readonly buckets: number[];
  count: number;
  seconds: number;
}

/** A number that is asked for when metrics are read. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly values: () => Iterable<readonly [labels: Readonly<Record<string, string>>, number]>;
}

/** What a server counts, as text for Prometheus (version 0.0.4 of its format). */
export class Metrics {
  readonly #answers = new Map<string, number>();
  readonly #times = new Map<string, Times>();
  readonly #gauges: readonly Gauge[];

  constructor(gauges: readonly Gauge[]) {
    this.#gauges = gauges;
  }

  count(method: string, route: string, status: number, seconds: number): void {
    // a client may make up any number of others
    const known = METHODS.has(method) ? method : 'other';
    const labels = labelsOf({ method: known, route, status: String(status) });
    this.#answers.set(labels, (this.#answers.get(labels) ?? 0) + 1);
    let times = this.#times.get(route);
    if (!times) {
      times = { buckets: BUCKETS.map(() => 0), count: 0, seconds: 0 };
      this.#times.set(route, times);
    }
    times.count++;
    times.seconds += seconds;
    for (const [i, most] of BUCKETS.entries()) if (seconds <= most) times.buckets[i]++;
  }

  text(): string {
    const lines = head('lemur_requests_total', 'Requests that were answered.', 'counter');
    for (const [labels, count] of this.#answers)
      lines.push(`lemur_requests_total${labels} ${count}`);
    lines.push(...head('lemur_request_seconds', 'Time to the end of the answer.', 'histogram'));
    for (const [route, { buckets, count, seconds }] of this.#times) {
      const ends = [...BUCKETS.map(String), '+Inf'];
      for (const [i, le] of ends.entries())
        lines.push(`lemur_request_seconds_bucket${labelsOf({ route, le })} ${buckets[i] ?? count}`);
      lines.push(`lemur_request_seconds_sum${labelsOf({ route })} ${seconds}`);
      lines.push(`lemur_request_seconds_count${labelsOf({ route })} ${count}`);
    }
    for (const { name, help, type, values } of this.#gauges) {
      lines.push(...head(name, help, type));
      for (const [labels, value] of values()) lines.push(`${name}${labelsOf(labels)} ${value}`);
    }
    return `${lines.join('\n')}\n`;
  }
}

function head(name: string, help: string, type: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const named = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return named.length === 0 ? '' : `{${named.join(',')}}`;
}

function escaped(value: string): string {
  return value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}

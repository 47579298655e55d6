import { dueSubject, jobFilters, STREAMS } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { JobDirectory, StoredFact } from '@earshot/jobs';
import { type JsApi, JsApiError } from '../connection/js-api.ts';
import { BrokerFactReader } from './fact-reader.ts';

interface SubjectsInfo {
  readonly state: { readonly subjects?: Readonly<Record<string, number>> };
}

/** Asks the stream's leader for the subjects it holds: a work queue forgets them with the acknowledgement. */
export class BrokerJobDirectory implements JobDirectory {
  readonly #api: JsApi;

  constructor(api: JsApi) {
    this.#api = api;
  }

  /** Throws `unavailable` when that cannot be known now, which includes a missing stream. */
  async jobsOf(tenant: string, id: string): Promise<ReadonlySet<string>> {
    const found = await Promise.all(jobFilters(tenant, id).map((filter) => this.#subjects(filter)));
    return new Set(found.flat().map(dueSubject));
  }

  last(subject: string): Promise<StoredFact | undefined> {
    return new BrokerFactReader(this.#api, STREAMS.jobs).last(subject);
  }

  /** One answer holds up to 100,000 subjects, more than any transcript has jobs. */
  async #subjects(filter: string): Promise<string[]> {
    try {
      const body = { subjects_filter: filter };
      const { state } = await this.#api.call<SubjectsInfo>(`STREAM.INFO.${STREAMS.jobs}`, body);
      return Object.keys(state.subjects ?? {});
    } catch (error) {
      if (error instanceof JsApiError) throw new CodedError('unavailable', error.message, { cause: error });
      throw error;
    }
  }
}

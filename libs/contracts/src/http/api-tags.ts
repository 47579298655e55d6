/** The groups of the HTTP API in the order a reader meets them, for the `tags` of `/openapi.json`. */
export const apiTags = [
  { name: 'recordings', description: 'Hand in what shall be transcribed.' },
  { name: 'transcripts', description: 'Read, cancel and retry what became of it.' },
  { name: 'dead letters', description: 'See what was given up on, and send it round again. For operators.' },
  { name: 'usage', description: 'See what paid engines charged for.' },
  { name: 'operations', description: 'Lanes, workers and repair. For operators.' },
] as const;

import type { ConfigCheck } from '@earshot/service-kit';

/** Pushes are taken only when it is known for whom, and from whom. */
export const pushProblems: ConfigCheck = ({ EARSHOT_PUBSUB_AUDIENCE, EARSHOT_PUBSUB_SERVICE_ACCOUNT }) =>
  Boolean(EARSHOT_PUBSUB_AUDIENCE) === Boolean(EARSHOT_PUBSUB_SERVICE_ACCOUNT)
    ? []
    : ['EARSHOT_PUBSUB_AUDIENCE and EARSHOT_PUBSUB_SERVICE_ACCOUNT are set together, or neither is'];

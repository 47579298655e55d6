export { startTestBroker, type TestBroker, type TestBrokerOptions } from './broker.ts';
export { type TestDatabase, type TestDatabaseOptions, testDatabase } from './database.ts';
export { eventually } from './eventually.ts';
export { freePort } from './free-port.ts';
export { type SeededRandom, seededRandom } from './seeded-random.ts';
export { type SmallDisk, smallDisk } from './small-disk.ts';
export { startTcpProxy, type TcpProxy, type Toxic } from './tcp-proxy.ts';
export { tempFolder } from './temp-folder.ts';
export { plainWords, type WordErrors, wordErrorRate } from './word-error-rate.ts';

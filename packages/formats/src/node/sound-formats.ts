/** How files of other sound formats start, from byte `at` on. */
const FORMATS: readonly { readonly name: string; readonly start: string; readonly at?: number }[] = [
  { name: 'a FLAC file', start: 'fLaC' },
  { name: 'an Ogg file (Vorbis or Opus)', start: 'OggS' },
  { name: 'an AIFF file', start: 'AIFF', at: 8 },
  { name: 'an AIFF file (AIFF-C)', start: 'AIFC', at: 8 },
  { name: 'a Wave64 file (W64)', start: 'riff\x2e\x91\xcf\x11' },
  { name: 'an AVI video', start: 'AVI ', at: 8 },
  { name: 'a WebP picture', start: 'WEBP', at: 8 },
  { name: 'an MPEG-4 file (M4A or MP4)', start: 'ftyp', at: 4 },
  { name: 'an MP3 file', start: 'ID3' },
  { name: 'a Sun AU file', start: '.snd' },
  { name: 'a Core Audio file (CAF)', start: 'caff' },
  { name: 'a NIST SPHERE file', start: 'NIST_1A' },
  { name: 'an AMR file', start: '#!AMR' },
  { name: 'a Matroska or WebM file', start: '\x1a\x45\xdf\xa3' },
  { name: 'a Windows Media file', start: '\x30\x26\xb2\x75' },
  { name: 'a Flash video', start: 'FLV\x01' },
];

/** What a file's first bytes are the start of: sound, or what people take for it; `undefined` if that is not known. */
export function soundFormatOf(head: Buffer): string | undefined {
  const text = head.toString('latin1');
  const found = FORMATS.find(({ start, at = 0 }) => text.startsWith(start, at));
  if (found !== undefined) return found.name;
  // MPEG audio without tags: eleven set bits and a version that exists; FF FE is the mark of a text in UTF-16.
  const isMpeg = head.length > 1 && head[0] === 0xff && ((head[1] as number) & 0xe0) === 0xe0;
  if (!isMpeg || ((head[1] as number) & 0x18) === 0x08 || head[1] === 0xfe) return undefined;
  return ((head[1] as number) & 0xf6) === 0xf0 ? 'an AAC file' : 'an MP3 file';
}

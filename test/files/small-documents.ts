import { deflateRawSync } from 'node:zlib';
import { crc32 } from '../../src/bytes/crc32.js';

/** A PDF file of one page that says this. */
export function smallPdf(text: string): Uint8Array {
  const content = `BT /F1 12 Tf 72 720 Td (${text}) Tj ET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R ' +
      '/Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let file = '%PDF-1.4\n';
  const offsets = objects.map((object, i) => {
    const at = file.length;
    file += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return at;
  });
  const start = file.length;
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`;
  for (const at of offsets) file += `${String(at).padStart(10, '0')} 00000 n \n`;
  file += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(file, 'latin1');
}

/** What is longer is found to be too long before its sum is. */
const MOST_SUMMED = 2 ** 20;

/** A zip file of compressed parts; `says` is what the directory tells of their lengths. */
function zipOf(parts: Readonly<Record<string, string>>, says?: number): Uint8Array {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const [name, text] of Object.entries(parts)) {
    const bytes = Buffer.from(text);
    const packed = deflateRawSync(bytes);
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(8, 4);
    facts.writeUInt32LE(crc32(bytes.subarray(0, MOST_SUMMED)) >>> 0, 10);
    facts.writeUInt32LE(packed.length, 14);
    facts.writeUInt32LE(says ?? bytes.length, 18);
    facts.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), facts, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    central.push(
      Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), facts, rest, Buffer.from(name)]),
    );
    locals.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(central.length, 8);
  end.writeUInt16LE(central.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directory, end]);
}

const WORD = 'http://schemas.openxmlformats.org/wordprocessingml/2006/main';

/** A Word file: a heading and a paragraph. */
export function smallDocx(heading: string, text: string, more = '', says?: number): Uint8Array {
  const office = 'http://schemas.openxmlformats.org';
  return zipOf(
    {
      '[Content_Types].xml':
        `<Types xmlns="${office}/package/2006/content-types">` +
        '<Default Extension="rels" ' +
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
        '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-' +
        'officedocument.wordprocessingml.document.main+xml"/></Types>',
      '_rels/.rels':
        `<Relationships xmlns="${office}/package/2006/relationships"><Relationship Id="r1" ` +
        `Type="${office}/officeDocument/2006/relationships/officeDocument" ` +
        'Target="word/document.xml"/></Relationships>',
      'word/document.xml':
        `<w:document xmlns:w="${WORD}"><w:body><w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr>` +
        `<w:r><w:t>${heading}</w:t></w:r></w:p><w:p><w:r><w:t>${text}${more}</w:t></w:r></w:p>` +
        '</w:body></w:document>',
      'word/styles.xml':
        `<w:styles xmlns:w="${WORD}"><w:style w:type="paragraph" w:styleId="Heading1">` +
        '<w:name w:val="heading 1"/></w:style></w:styles>',
    },
    says,
  );
}

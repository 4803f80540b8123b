const ESCAPED_IN_QUOTES = '"\\$`';

/**
 * The words of a command line as a POSIX shell splits it: blanks part words, quotes and backslashes keep them together.
 * Nothing is expanded. Null for a quote or backslash without its end.
 */
export function splitWords(text: string): readonly string[] | null {
  const words: string[] = [];
  let rest = text.trimStart();
  while (rest !== "") {
    const word = takeWord(rest);
    if (word === null) return null;
    words.push(word.value);
    rest = rest.slice(word.length).trimStart();
  }
  return words;
}

interface Taken {
  readonly value: string;
  readonly length: number;
}

const PIECE = /^(?:([^\s'"\\]+)|'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^]))/;

function takeWord(text: string): Taken | null {
  let value = "";
  let length = 0;
  while (length < text.length && !/\s/.test(text.charAt(length))) {
    const [all, plain, single, double, escaped] = PIECE.exec(text.slice(length)) ?? [];
    if (all === undefined) return null;
    value += plain ?? single ?? escaped ?? unescape(double ?? "");
    length += all.length;
  }
  return { value, length };
}

/** Within double quotes a backslash counts only before what would be special there. */
function unescape(quoted: string): string {
  return quoted.replace(
    /\\([^])/g,
    (all, char: string) => ESCAPED_IN_QUOTES.includes(char) ? char : all,
  );
}

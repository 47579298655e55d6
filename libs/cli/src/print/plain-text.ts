/** Text from elsewhere on one line: it must not move the cursor or colour the terminal. */
export const plainText = (text: string) => text.replace(/\p{Cc}+/gu, ' ');

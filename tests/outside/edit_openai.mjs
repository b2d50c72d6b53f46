import fs from 'fs';
import OpenAI, { toFile } from 'openai';

const client = new OpenAI({
  apiKey: process.env.AIMLAPI_KEY,
  baseURL: process.env.AIMLAPI_BASE_URL,
});

const main = async () => {
  const imagePaths = ['t-rex.png', 'crown.png'];

  const images = await Promise.all(
    imagePaths.map((path) => toFile(fs.createReadStream(path), null, { type: 'image/png' })),
  );

  const result = await client.images.edit({
    model: 'openai/gpt-image-2',
    image: images,
    prompt: "Put the crown on the T-rex's head",
  });

  console.log(JSON.stringify(result, null, 2));
};

main();

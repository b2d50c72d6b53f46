async function main() {
  const response = await fetch(process.env.AIMLAPI_BASE_URL + '/images/generations', {
    method: 'POST',
    headers: {
      'Authorization': 'Bearer ' + process.env.AIMLAPI_KEY,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({
      model: 'openai/gpt-image-2',
      prompt: 'A T-Rex relaxing on a beach, lying on a sun lounger and wearing sunglasses.',
    }),
  });

  const data = await response.json();
  console.log(JSON.stringify(data, null, 2));
}

main();
